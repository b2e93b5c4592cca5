/** Who gets a right: `namespace/name` of a ServiceAccount, a user name, or a group. */
export type Subject = string | { readonly user: string } | { readonly group: string };

/** A right, as in an RBAC rule; `*` stands for all. Without `namespace` it holds in all of them. */
export type Rule =
  | {
      readonly verb: string;
      /** API group; '' is the core one. */
      readonly group: string;
      /** Subresources as in RBAC: `serviceaccounts/token`. */
      readonly resource: string;
      readonly namespace?: string;
      readonly name?: string;
    }
  | { readonly verb: string; /** May end in `*`. */ readonly path: string };

/** What somebody wants to do. */
export type Attributes =
  | {
      readonly verb: string;
      readonly group: string;
      readonly resource: string;
      readonly subresource: string;
      readonly namespace: string;
      readonly name: string;
    }
  | { readonly verb: string; readonly path: string };
