/** Properties of a message; amqplib's `Options.Publish` has all of them. */
export interface RabbitMessageOptions {
  readonly persistent?: boolean
  readonly mandatory?: boolean
  /** Milliseconds, as a text or a number. */
  readonly expiration?: string | number
  readonly priority?: number
  readonly contentType?: string
  readonly contentEncoding?: string
  readonly correlationId?: string
  readonly replyTo?: string
  readonly messageId?: string
  readonly type?: string
  readonly timestamp?: number
  readonly headers?: Readonly<Record<string, unknown>>
}

/**
 * The part of a confirm channel that functions mostly want. The object is the `ConfirmChannel` of amqplib with all it has:
 * `(await context.rabbitmq) as ConfirmChannel`.
 */
export interface RabbitChannel {
  assertQueue(
    queue: string,
    options?: {
      readonly durable?: boolean
      readonly exclusive?: boolean
      readonly autoDelete?: boolean
      readonly arguments?: Readonly<Record<string, unknown>>
      /** Milliseconds without a consumer after which the queue goes. */
      readonly expires?: number
    },
  ): Promise<{ readonly queue: string; readonly messageCount: number; readonly consumerCount: number }>
  assertExchange(
    exchange: string,
    type: string,
    options?: { readonly durable?: boolean; readonly autoDelete?: boolean },
  ): Promise<{ readonly exchange: string }>
  bindQueue(queue: string, exchange: string, pattern: string): Promise<object>
  deleteQueue(queue: string): Promise<{ readonly messageCount: number }>
  /** false: the buffers are full, and `waitForConfirms` is the time to wait. */
  publish(exchange: string, routingKey: string, content: Buffer, options?: RabbitMessageOptions): boolean
  sendToQueue(queue: string, content: Buffer, options?: RabbitMessageOptions): boolean
  /** Resolves when the broker has taken all that was published; core waits for it at the end of an activation too. */
  waitForConfirms(): Promise<void>
}
