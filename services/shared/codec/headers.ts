/**
 * K8: what every message of the serial topics says of itself without being decoded. Authoritative: dead letters and
 * the watermark are kept from these alone. `origin` and `link` are absent in `serials.submitted`, where the offset is the origin.
 */
export interface MessageHeaders {
  readonly submission: string;
  readonly batch: number;
  readonly rows: number;
  readonly deadRows: number;
  /** Offset in `serials.submitted`. */
  readonly origin?: number;
  /** Origin of the message before it in this partition; absent for the first after a start (V1). */
  readonly link?: number;
}
