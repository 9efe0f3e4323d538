export const original = () => 'original'
