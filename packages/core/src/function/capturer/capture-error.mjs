/** A part of a function cannot travel. `path` leads from the function to it; `where` is added on the way out. */
export class CaptureError extends Error {
  constructor(message, path) {
    super(message)
    this.name = 'CaptureError'
    this.path = path
  }
}
