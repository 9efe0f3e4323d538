// Cases that a user may write and that do not work yet. A case that begins to work fails here until it is taken out.
export const KNOWN_GAPS: ReadonlyMap<string, string> = new Map([
  ['classes-abstract', 'private fields of a class hierarchy over several files'],
  ['classes-errors', 'a thrown error whose cause has #private fields'],
  ['classes-results', 'an error class of @lithops/core as a plain value'],
  ['handles-refused', 'one of its refusals has another text'],
  ['imports-meta', 'import.meta.url of an imported module'],
  ['packages-own-client', 'a private client of a user module'],
  ['packages-zod', 'a schema made by a method of a schema'],
  ['realms-vm', 'functions of another realm'],
])
