/** A refusal that a handler throws: the router answers `{ "error": message }` with this status. The message is for the client's eyes. */
export class HttpError extends Error {
  override readonly name = 'HttpError'
  readonly status: number
  constructor(status: number, message: string) {
    super(message)
    this.status = status
  }
}

/** The client went away before its request was whole: there is nobody to answer and nothing to report. */
export class RequestAborted extends Error {
  override readonly name = 'RequestAborted'
}
