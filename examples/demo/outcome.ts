/** What came of a request, for the caller and for the operator. */
export interface Outcome {
  /** `200`; of several requests at once `100 × 200`. */
  readonly status: string;
  /** What the answer tells a caller who was refused: the error code of its challenge, or when to try again. */
  readonly told: string;
  /** The caller's identity, or from the authenticator's events why there is none. */
  readonly known: string;
  /** TokenReviews sent for it. */
  readonly reviews: number;
  /** How many of them reached the API server, where it counts them. */
  readonly received?: number | undefined;
}

/** What should have come of it; `known` is how that begins, as API servers differ in their words. */
export type Expectation = Omit<Outcome, 'received'> & {
  /** How many calls of the API server the reviews make. Default: one each, as none needs to be tried again. */
  readonly received?: number;
};

/** In what they differ, in words; nothing where all is as expected. */
export function differences(expected: Expectation, actual: Outcome): string[] {
  const fields = ['status', 'told', 'known', 'reviews'] as const;
  const wrong = fields
    .filter((field) =>
      field === 'known' ? !actual.known.startsWith(expected.known) : actual[field] !== expected[field],
    )
    .map((field) => `${field}: expected ${JSON.stringify(expected[field])}, got ${JSON.stringify(actual[field])}`);
  const received = expected.received ?? actual.reviews;
  if (actual.received !== undefined && actual.received !== received) {
    wrong.push(`reviews: the API server should have counted ${received}, and counted ${actual.received}`);
  }
  return wrong;
}
