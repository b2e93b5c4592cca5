/**
 * Options of `node` for measuring what is kept. V8 gives any process that allocates a larger nursery as time goes on, whatever
 * becomes of its objects: here it has its full size from the start.
 */
export const fixedNursery = ['--expose-gc', '--min-semi-space-size=16', '--max-semi-space-size=16'] as const;
