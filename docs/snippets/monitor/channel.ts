import { FunctionExecutor } from '@lithops/core'

await using fexec = new FunctionExecutor({ monitoring: 'rabbitmq' })
const futures = fexec.map(
  async (city: string, context) => {
    const channel = await context.rabbitmq
    channel.sendToQueue('weather', Buffer.from(JSON.stringify({ city, degrees: city.length })))
  },
  ['Oslo', 'Lima'],
)
await fexec.wait(futures) // the messages have arrived in the queue 'weather' of somebody else
