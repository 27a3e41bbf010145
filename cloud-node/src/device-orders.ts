/**
 * In a process of its own: follow the orders of a DriverLine, one after the other, until it lets go.
 *
 * @param follow  @returns the answer, or `undefined` for an order that has none; never rejects
 */
export function serveOrders<Order>(follow: (order: Order) => Promise<object | undefined>): void {
  let last = Promise.resolve();
  process.on("message", (order: Order) => {
    last = last.then(async () => {
      const answer = await follow(order);
      if (answer !== undefined) process.send?.(answer);
    });
  });
  // Dawn's threads would keep the process, and it is at the end that drivers abort most: there is nothing left to lose then.
  process.on("disconnect", () => process.exit(0));
}
