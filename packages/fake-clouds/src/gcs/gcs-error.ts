/** An error of the JSON API, and of the addresses that are signed, which answer in XML. */
export class GcsError extends Error {
  readonly status: number
  readonly reason: string

  constructor(status: number, reason: string, message: string) {
    super(message)
    this.status = status
    this.reason = reason
  }

  get json(): string {
    const { status: code, message, reason } = this
    return JSON.stringify({ error: { code, message, errors: [{ message, domain: 'global', reason }] } })
  }

  get xml(): string {
    return `<?xml version='1.0' encoding='UTF-8'?><Error><Code>${this.reason}</Code><Message>${this.message}</Message></Error>`
  }
}

export const noBucket = () => new GcsError(404, 'notFound', 'The specified bucket does not exist.')
export const noObject = (bucket: string, key: string) =>
  new GcsError(404, 'notFound', `No such object: ${bucket}/${key}`)
export const notMet = () =>
  new GcsError(412, 'conditionNotMet', 'At least one of the pre-conditions you specified did not hold.')
