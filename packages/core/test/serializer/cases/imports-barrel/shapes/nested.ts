const word = 'deep'
export const deep = () => word
