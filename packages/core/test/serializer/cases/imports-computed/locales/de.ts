export const hello = 'hallo'
