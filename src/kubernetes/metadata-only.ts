/** As what metadata is asked for: a list is answered as another kind than an object, and than the events of a watch. */
export type MetadataForm = 'PartialObjectMetadata' | 'PartialObjectMetadataList';

/** The `Accept` header that has the API server leave out all but metadata. */
export const metadataOnly = (form: MetadataForm): string => `application/json;as=${form};g=meta.k8s.io;v=v1`;
