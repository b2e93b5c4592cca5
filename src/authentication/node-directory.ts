/** Knows the cluster's Nodes. */
export interface NodeDirectory {
  /**
   * The uid of the Node of that name as it is now, not as some cache remembers it; `undefined` where there is none.
   * Ends within a bounded time.
   *
   * @param waitedMs for how long the token has been waiting already: a part of that time
   * @throws {Unavailability}
   */
  uidOf(name: string, waitedMs: number): Promise<string | undefined>;
}
