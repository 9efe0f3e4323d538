import { afterAll, describe, expect, test } from 'vitest'
import { ConfigError, FunctionExecutor, LocalhostExecutor, ServerlessExecutor } from '../../src/index.ts'

/** What people get wrong, and the words that help them. Everything here is refused before anything is started. */

const fexec = new FunctionExecutor({ backend: 'localhost' })
afterAll(() => fexec.close())

const identity = (x: number) => x

describe('options of an executor', () => {
  test.each([
    [{ bakend: 'localhost' }, "there is no option 'bakend': did you mean 'backend'?"],
    [{ runtime_memory: 256 }, "'runtime_memory' is called runtimeMemoryMiB here"],
    [{ log_level: 'debug' }, "'log_level' is called logLevel here"],
    [{ workers: 4 }, "'workers' is called localhost: { worker_processes }"],
    [{ timeout: 5 }, "'timeout' is called timeoutMs (milliseconds) here"],
    [{ aws_lambda: {} }, "there is no option 'aws_lambda', only config, configFile, backend"],
    [{ backend: 5 }, 'backend must be a name or a driver, not 5'],
    [{ backend: '' }, "backend must be a name or a driver, not ''"],
    [{ backend: [] }, 'backend must name at least one backend, and the list is empty.'],
    [{ backend: ['localhost', 7] }, 'backend must be a name, a driver or a list of them, not 7.'],
    [{ backend: {} }, 'The object given as backend is neither a backend (invoke) nor a driver (create).'],
    [{ storage: true }, 'storage must be a name or a driver, not true'],
    [{ monitoring: 0 }, 'monitoring must be a name or a driver, not 0'],
    [
      { config: 'lithops: {}' },
      "config must be an object of sections (a file is named with configFile), not 'lithops: {}'",
    ],
    [{ config: [] }, 'config must be an object of sections (a file is named with configFile), not an array'],
    [{ configFile: 7 }, 'configFile must be a path, not 7'],
    [{ configFile: '/no/such/file' }, 'The config file /no/such/file does not exist.'],
    [{ localhost: 4 }, 'localhost must be an object of keys, not 4'],
    [{ localhost: { workers: 4 } }, "localhost.workers is called 'worker_processes' here."],
    [
      { localhost: { worker_processes: 0 } },
      'the options: localhost.worker_processes must be a whole number from 1, not 0.',
    ],
    [{ localhost: { isolation: 'none' } }, "localhost.isolation must be 'worker' | 'call', not 'none'."],
    [{ runtime: '' }, "runtime must be the name of a runtime, not ''"],
    [{ runtimeMemoryMiB: '256' }, "runtimeMemoryMiB must be a positive whole number, not '256'"],
    [{ timeoutMs: -1 }, 'timeoutMs must be a positive number, not -1'],
    [{ logLevel: 'loud' }, "logLevel must be one of debug, info, warning, error, not 'loud'"],
    [{ retries: '3' }, "retries must be a whole number or { infrastructure, user }, not '3'"],
    [{ retries: { users: 3 } }, 'there is no retries.users, only retries.infrastructure and retries.user'],
    [{ retries: -1 }, 'retries.user must be a whole number from 0, not -1'],
    [
      { config: { lithops: { backend: 5 } } },
      'the option config: lithops.backend must be a name, or a list of names, not 5.',
    ],
    [{ config: { lithops: { storage: { s3: {} } } } }, 'lithops.storage must be a text, not {"s3":{}}.'],
    [{ config: { lithops: { mode: 'standalone' } } }, 'mode: standalone is not there'],
    [
      { config: { lithops: { mode: 'server' } } },
      "lithops.mode must be 'localhost' | 'serverless' | 'standalone', not 'server'.",
    ],
    [{ config: { lithops: 'localhost' } }, "section 'lithops' must hold keys, not the text 'localhost'."],
    [{ config: { lithop: {} } }, "there is no section 'lithop'. Did you mean 'lithops'?"],
    [
      { config: { serverless: { custom_runtime: true } } },
      "serverless.custom_runtime is not a known key. Did you mean 'customized_runtime'?",
    ],
  ])('%j', (options, message) => {
    expect(() => new FunctionExecutor(options as never)).toThrow(message)
  })

  test('null, or what is no object at all', () => {
    for (const wrong of [null, 'localhost', 3]) {
      expect(() => new FunctionExecutor(wrong as never)).toThrow(
        /options of an executor must be an object, not/,
      )
    }
  })

  test('everything that is wrong is said at once', () => {
    expect(() => new FunctionExecutor({ bakend: 'x', timeoutMs: 0, logLevel: 'loud' } as never)).toThrow(
      /bakend.*timeoutMs.*logLevel/s,
    )
  })

  test('ServerlessExecutor refuses localhost in all its spellings', () => {
    for (const options of [
      {},
      { backend: 'localhost' },
      { config: { lithops: { backend: 'localhost' } } },
      { backend: ['localhost'] },
    ]) {
      expect(() => new ServerlessExecutor(options)).toThrow(
        /ServerlessExecutor (does not run on localhost|needs a backend)/,
      )
    }
  })

  test('LocalhostExecutor refuses another backend rather than ignore it', () => {
    expect(() => new LocalhostExecutor({ backend: 'aws_lambda' })).toThrow(
      /LocalhostExecutor runs on localhost.*aws_lambda/,
    )
  })
})

describe('options of a job', () => {
  test.each([
    [{ chunkSize: 3 }, "'chunkSize' is called chunksize (calls per activation), or objChunkSize"],
    [{ timeout: 3 }, "'timeout' is called timeoutMs (milliseconds) here"],
    [{ extra_env: {} }, "'extra_env' is called extraEnv here"],
    [{ retrys: 3 }, "there is no option 'retrys': did you mean 'retries'?"],
    [{ fanIn: 3 }, "there is no option 'fanIn'"],
    [{ chunksize: 0 }, 'chunksize must be a positive whole number, not 0'],
    [{ chunksize: 1.5 }, 'chunksize must be a positive whole number, not 1.5'],
    [{ timeoutMs: Number.NaN }, 'timeoutMs must be a positive number, not NaN'],
    [{ runtimeMemoryMiB: 0.5 }, 'runtimeMemoryMiB must be a positive whole number, not 0.5'],
    [{ extraArgs: 5 }, 'extraArgs must be an array, not 5'],
    [{ extraEnv: ['A=1'] }, 'extraEnv must be an object of texts, not an array'],
    [{ extraEnv: { PORT: 80 } }, 'extraEnv.PORT must be a text, not 80'],
    [{ includeModules: 'lodash' }, "includeModules must be an array of module names, not 'lodash'"],
    [{ excludeModules: [1] }, 'excludeModules must be an array of module names, not an array'],
    [{ signal: new AbortController() }, 'signal must be an AbortSignal, not an object'],
    [{ progress: 'yes' }, "progress must be true or false, not 'yes'"],
    [
      { toleratedFailures: '5' },
      "toleratedFailures must be a whole number or a percentage like '5%', not '5'",
    ],
    [{ toleratedFailures: '101%' }, "not '101%'"],
    [null, 'The options of the job must be an object, not null.'],
  ])('%j', (options, message) => {
    const attempt = () => fexec.map(identity, [1], options as never)
    expect(attempt).toThrow(ConfigError)
    expect(attempt).toThrow(message)
  })

  test.each([
    [{ fanIn: 1 }, 'fanIn must be a whole number from 2, not 1'],
    [{ spawnReducer: 200 }, 'spawnReducer must be a percentage from 0 to 100, not 200'],
    [
      { reduceBy: 'key' },
      "reduceBy must be 'object' or a function of the item that returns its group, not 'key'",
    ],
    [{ obj_reduce_by_key: true }, "'obj_reduce_by_key' is called reduceByKey"],
    [{ reducerMemoryMiB: -1 }, 'reducerMemoryMiB must be a positive whole number, not -1'],
    [{ reducerTimeoutMs: 'x' }, "reducerTimeoutMs must be a positive number, not 'x'"],
  ])('mapReduce %j', (options, message) => {
    expect(() => fexec.mapReduce(identity, [1], all => all.length, options as never)).toThrow(message)
  })
})

describe('functions and items', () => {
  test.each([
    [() => fexec.map(undefined as never, [1]), 'Expected a function, got undefined.'],
    [() => fexec.callAsync({} as never, 1), 'Expected a function, got object.'],
    [() => fexec.map(identity, undefined as never), 'not undefined. Use callAsync for a single value.'],
    [() => fexec.map(identity, 'abc' as never), 'not a string. Put it in an array, or use callAsync.'],
    [() => fexec.map(identity, { a: 1 } as never), 'not an object. Use callAsync for a single value.'],
    [() => fexec.mapReduce(identity, [1], null as never), 'Expected a function, got null.'],
    [() => fexec.map(identity, Promise.resolve([1]) as never), 'not a promise. Await it first.'],
  ])('%s', (attempt, message) => {
    expect(attempt).toThrow(message)
  })

  test('what is waited for', async () => {
    await expect(fexec.wait([], { returnWhen: 'SOME' as never })).rejects.toThrow(
      'returnWhen must be ALL_COMPLETED, ANY_COMPLETED, ALWAYS or a percentage from 0 to 100, not SOME.',
    )
    await expect(fexec.getResult([1, 2] as never)).rejects.toThrow('expected futures, got 1')
    await expect(fexec.getResult(Promise.resolve() as never)).rejects.toThrow('expected futures')
  })
})
