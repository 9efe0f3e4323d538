export { type ExamplesCloud, type ExamplesSuiteOptions, examplesSuite } from './suite.ts'
