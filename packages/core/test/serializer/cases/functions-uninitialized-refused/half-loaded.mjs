globalThis.corpusHalfLoaded = () => lateInModule + 1
if (globalThis.corpusHalfLoaded) throw new Error('stops here')
const lateInModule = 5
