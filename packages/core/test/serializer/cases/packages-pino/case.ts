import pino from 'pino'
const logger = pino({ level: 'silent' })
const child = logger.child({ job: 1 })
const app = { name: 'app', log: logger }
export const cases = [
  { name: 'logger', fn: () => { logger.info('x'); return logger.level }, expected: 'silent', warns: /logger/ },
  { name: 'child', fn: () => child.bindings(), expected: { job: 1 }, warns: /child|logger/ },
  { name: 'in an object', fn: () => [app.name, app.log.level], expected: ['app', 'silent'], warns: /app|logger/ },
]
