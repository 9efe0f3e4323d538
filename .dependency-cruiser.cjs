// The arrows of the house. scripts/arrows.test.mjs shows for each rule a tree that breaks it.
// Imports of types alone are not counted: they cost nothing at run time, and the compiler checks them.

const CORE = '^packages/core/src/'
const TESTS = '(\\.test\\.ts$|/test/|^bench/)'
const DRIVERS = '^packages/(backend|storage|monitor)-[^/]+/'

/** What drivers share. */
const DRIVER_LIBRARIES = '^packages/(s3-family|container-runtime)/src/'

/** A package from npm, resolved (also through pnpm's store) or not installed. */
const npm = names => [`(^|/)node_modules/(${names})(/|$)`, `^(${names})(/|$)`]

const CLIENT_LIBRARIES =
  'esbuild|acorn|js-yaml|zod|magic-string|cli-progress|import-meta-resolve|fastest-levenshtein'
const CLOUD_LIBRARIES =
  '@aws-sdk|@smithy|@google-cloud|@azure|@kubernetes|ibm-cloud-sdk-core|ibm-cos-sdk|openwhisk|redis|ioredis|minio|amqplib|dockerode'

module.exports = {
  forbidden: [
    {
      name: 'core-knows-no-driver',
      comment: 'Core finds backends by name, and imports none of them and no SDK of a cloud.',
      severity: 'error',
      from: { path: '^packages/core/' },
      to: {
        path: [
          DRIVERS,
          '^packages/(container-runtime|s3-family|cli|fake-clouds)/',
          '@lithops/(backend|storage|monitor|s3-family|cli|container|fake)',
          ...npm(CLOUD_LIBRARIES),
        ],
      },
    },
    {
      name: 'worker-stays-small',
      comment: 'What runs remotely must not reach, by any way, what only the client needs.',
      severity: 'error',
      from: { path: `${CORE}(worker/|localhost/slot-main\\.ts)`, pathNot: '\\.test\\.ts$' },
      to: {
        reachable: true,
        path: [
          `${CORE}(function|executor|config|invoker|job|data|stats|testing)/`,
          `${CORE}localhost/(?!slot-|localhost-storage|key-path)`,
          '^(node:)?inspector(/promises)?$',
          ...npm(CLIENT_LIBRARIES),
        ],
      },
    },
    {
      name: 'lazy-imports-in-one-place',
      comment:
        'Loaders such as tsx rewrite each file that has an import(), and the client is one large file when built.',
      severity: 'error',
      from: {
        path: CORE,
        pathNot: `\\.test\\.ts$|${CORE}(lazy-imports\\.ts|worker/|driver/|piece/|localhost/slot-main\\.ts)`,
      },
      to: { dynamic: true },
    },
    {
      name: 'capture-loads-late',
      comment:
        'What capture needs is loaded while the first worker starts (function/lazy-modules.ts): importing core stays cheap.',
      severity: 'error',
      from: { path: CORE, pathNot: '\\.test\\.ts$' },
      to: {
        path: '(^|/)(acorn|magic-string|esbuild|@jridgewell)(/|$)',
        dynamic: false,
        dependencyTypesNot: ['type-only'],
      },
    },
    {
      name: 'driver-is-contracts',
      comment:
        'The contracts need types, errors and the helpers for config schemas, and nothing else of core.',
      severity: 'error',
      from: { path: `${CORE}driver/`, pathNot: '\\.test\\.ts$' },
      to: { path: CORE, pathNot: `${CORE}(driver/|errors/|config/|types/|builtins\\.ts|version\\.ts)` },
    },
    {
      name: 'codec-stands-alone',
      comment: 'Values become bytes without knowing of the rest of core; only its errors are shared.',
      severity: 'error',
      from: { path: `${CORE}codec/`, pathNot: '\\.test\\.ts$' },
      to: { path: CORE, pathNot: `${CORE}(codec|errors)/` },
    },
    {
      name: 'errors-stand-alone',
      comment: 'Every room throws errors, so errors know no room.',
      severity: 'error',
      from: { path: `${CORE}errors/`, pathNot: '\\.test\\.ts$' },
      to: { path: CORE, pathNot: `${CORE}errors/` },
    },
    {
      name: 'drivers-use-the-contract',
      comment:
        'A backend, storage or monitor package, and what they share, sees of core only its ./driver entry.',
      severity: 'error',
      from: { path: [`${DRIVERS}src/`, DRIVER_LIBRARIES], pathNot: ['/src/worker/', TESTS] },
      to: {
        path: ['^packages/core/', '^@lithops/core'],
        pathNot: ['^packages/core/dist/driver/', '^@lithops/core/driver$'],
      },
    },
    {
      name: 'driver-workers-use-the-worker',
      comment: "A driver's remote half sees of core only its ./worker entries.",
      severity: 'error',
      from: { path: [`${DRIVERS}src/worker/`, '^packages/container-runtime/src/worker/'], pathNot: TESTS },
      to: {
        path: ['^packages/core/', '^@lithops/core'],
        pathNot: ['^packages/core/dist/worker/', '^@lithops/core/worker(/constants)?$'],
      },
    },
    {
      name: 'driver-halves-apart',
      comment: "A driver's remote half never imports the half that runs on the user's machine.",
      severity: 'error',
      from: {
        path: '^packages/((?:backend|storage|monitor)-[^/]+|container-runtime)/src/worker/',
        pathNot: TESTS,
      },
      to: {
        path: '^packages/$1/src/',
        pathNot:
          '^packages/$1/src/(worker/|limits\\.ts|http-protocol\\.ts|batch-file\\.ts|worker-arguments\\.ts|exit-facts\\.ts)',
      },
    },
    {
      name: 'drivers-apart',
      comment: 'No driver package imports another.',
      severity: 'error',
      from: { path: '^packages/((?:backend|storage|monitor)-[^/]+)/src/', pathNot: TESTS },
      to: {
        path: ['^packages/(backend|storage|monitor)-', '^@lithops/(backend|storage|monitor)-'],
        pathNot: '^packages/$1/',
      },
    },
    {
      name: 'driver-libraries-know-no-driver',
      comment: 'What drivers share imports none of them.',
      severity: 'error',
      from: { path: DRIVER_LIBRARIES, pathNot: TESTS },
      to: { path: ['^packages/(backend|storage|monitor)-', '^@lithops/(backend|storage|monitor)-'] },
    },
    {
      name: 'testing-is-for-tests',
      comment: 'Conformance kits and in-memory backends must not get into what users run.',
      severity: 'error',
      from: { path: '^packages/', pathNot: [`${CORE}testing/`, '^packages/fake-clouds/', TESTS] },
      to: { path: [`${CORE}testing/`, '^packages/core/dist/testing/', '^@lithops/core/testing$'] },
    },
    {
      name: 'no-cycles',
      comment: 'Two files that need each other are one room with a wall through it.',
      severity: 'error',
      from: { pathNot: '/node_modules/' },
      to: { circular: true },
    },
    {
      name: 'no-room-cycles',
      comment: 'Rooms of core form a line: when one imports another, there is no way back.',
      severity: 'error',
      scope: 'folder',
      from: { path: '^packages/core/src/[^/]+$' },
      to: { circular: true },
    },
  ],
  options: {
    doNotFollow: { path: ['node_modules', '/dist/'] },
    exclude: { path: ['/test/serializer/', '/fixtures/', '\\.test\\.ts$'] },
    tsPreCompilationDeps: false,
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'node', 'default'],
      extensions: ['.ts', '.mts', '.js', '.mjs', '.cjs', '.json'],
    },
  },
}
