export { KnativeOnKubernetes, type KnativeOnKubernetesOptions, TESTER } from './knative-on-kubernetes.ts'
