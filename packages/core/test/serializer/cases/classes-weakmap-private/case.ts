const secrets = new WeakMap<object, { pin: number }>()
class Vault {
  constructor(pin: number) { secrets.set(this, { pin }) }
  check(pin: number) { return secrets.get(this)!.pin === pin }
}
const vault = new Vault(42)
export const fn = () => [vault.check(42), vault.check(1), new Vault(7).check(7)]
export const expected = [true, false, true]
