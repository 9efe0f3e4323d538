// invoke-contender.mjs KIND CALLS SOCKETS JOBS: one contender of lambda-invoke in a process of its own, which trusts the
// stub's certificate from its start. Prints JSON: a row per job, the first of which opens the connections.
import { createHash, createHmac } from 'node:crypto'
import { createRequire } from 'node:module'
import { pathToFileURL } from 'node:url'
import { assertEqual, range } from './timing.mjs'

const [kind, callsText, socketsText, jobsText] = process.argv.slice(2)
const calls = Number(callsText)
const sockets = Number(socketsText)
const endpoint = process.env.AWS_ENDPOINT_URL_LAMBDA
const keys = { accessKeyId: 'AKIAIOSFODNN7EXAMPLE', secretAccessKey: 'x'.repeat(40) }
const REGION = 'us-east-1'
const FUNCTION = 'lithops_v0-1-0_abcd_default_256_0123456789ab'
/** As large as an activation of a small function. */
const BODY = JSON.stringify('T'.repeat(900))
const packageFile = new URL('../../packages/backend-aws-lambda/package.json', import.meta.url)
const require = createRequire(packageFile)

/** A library of the backend's own, which the bench does not depend on by itself. */
const load = name => import(pathToFileURL(require.resolve(name)).href)

const contenders = {
  /** A whole job: from `map` to the last resolved future. */
  async ours() {
    const { FunctionExecutor } = await import('@lithops/core')
    const fexec = new FunctionExecutor({
      backend: 'aws_lambda',
      config: {
        lithops: { backend: 'aws_lambda' },
        aws_lambda: {
          region: REGION,
          access_key_id: keys.accessKeyId,
          secret_access_key: keys.secretAccessKey,
          account_id: '123456789012',
          user_id: 'AIDABENCH',
          execution_role: 'arn:aws:iam::123456789012:role/bench',
          max_workers: sockets,
        },
      },
    })
    return {
      run: async () => {
        const values = await fexec.getResult(fexec.map(x => x, range(calls)))
        assertEqual(values.length, calls)
        assertEqual(values.at(-1), calls - 1)
      },
      close: () => fexec.close(),
    }
  },

  /** Nothing but requests: what undici can do with a signature for each. */
  async undici() {
    const { Pool } = (await load('undici')).default
    const pool = new Pool(endpoint, { connections: sockets, pipelining: 1, keepAliveTimeout: 50_000 })
    const path = `/2015-03-31/functions/${FUNCTION}/invocations`
    const sign = signer(new URL(endpoint).host, path)
    const one = async () => {
      const { statusCode, body } = await pool.request({
        method: 'POST',
        path,
        headers: sign(BODY),
        body: BODY,
      })
      await body.dump()
      assertEqual(statusCode, 200)
    }
    return { run: () => Promise.all(range(calls).map(one)), close: () => pool.close() }
  },

  /** The official client as it comes, with enough sockets. */
  async sdk() {
    const { LambdaClient, InvokeCommand } = await load('@aws-sdk/client-lambda')
    const { Agent } = await import('node:https')
    const httpsAgent = new Agent({ keepAlive: true, maxSockets: sockets, maxFreeSockets: sockets })
    const requestHandler = { httpsAgent, socketAcquisitionWarningTimeout: 120_000 }
    const client = new LambdaClient({ region: REGION, endpoint, credentials: keys, requestHandler })
    const one = async () => {
      const input = { FunctionName: FUNCTION, LogType: 'Tail', Payload: Buffer.from(BODY) }
      const { StatusCode } = await client.send(new InvokeCommand(input))
      assertEqual(StatusCode, 200)
    }
    return { run: () => Promise.all(range(calls).map(one)), close: async () => client.destroy() }
  },
}

/** The plainest signer that there is: the day's key is kept. */
function signer(host, path) {
  const hash = data => createHash('sha256').update(data).digest('hex')
  const hmac = (key, data) => createHmac('sha256', key).update(data).digest()
  let key
  return body => {
    const time = new Date().toISOString().replace(/[-:]|\.\d{3}/g, '')
    const day = time.slice(0, 8)
    const scope = `${day}/${REGION}/lambda/aws4_request`
    key ??= [day, REGION, 'lambda', 'aws4_request'].reduce(hmac, `AWS4${keys.secretAccessKey}`)
    const names = 'host;x-amz-date;x-amz-invocation-type;x-amz-log-type'
    const headers = {
      host,
      'x-amz-date': time,
      'x-amz-invocation-type': 'RequestResponse',
      'x-amz-log-type': 'Tail',
    }
    const lines = Object.entries(headers).map(([name, value]) => `${name}:${value}\n`)
    const canonical = `POST\n${path}\n\n${lines.join('')}\n${names}\n${hash(body)}`
    const signature = createHmac('sha256', key)
      .update(`AWS4-HMAC-SHA256\n${time}\n${scope}\n${hash(canonical)}`)
      .digest('hex')
    headers.authorization = `AWS4-HMAC-SHA256 Credential=${keys.accessKeyId}/${scope}, SignedHeaders=${names}, Signature=${signature}`
    return headers
  }
}

const contender = await contenders[kind]()
const rows = []
for (let job = 0; job < Number(jobsText); job++) {
  const cpu = process.cpuUsage()
  const start = performance.now()
  await contender.run()
  const wall = performance.now() - start
  const { user, system } = process.cpuUsage(cpu)
  rows.push({ wall, cpu: (user + system) / 1000 / calls })
}
await contender.close()
console.log(JSON.stringify(rows))
