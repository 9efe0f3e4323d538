export default { label: 'shapes' }
