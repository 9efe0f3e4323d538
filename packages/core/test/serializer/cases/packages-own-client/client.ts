export class S3Like {
  #objects = new Map<string, string>()
  constructor(private readonly config: { region: string }) {}
  put(k: string, v: string) { this.#objects.set(k, v) }
  get(k: string) { return this.#objects.get(k) }
  region() { return this.config.region }
}
