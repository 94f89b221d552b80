/** One JSON line an event, for people and for whatever collects the Worker's logs. */
export function log(event: string, fields: Readonly<Record<string, unknown>> = {}): void {
  console.log(JSON.stringify({ event, ...fields }))
}
