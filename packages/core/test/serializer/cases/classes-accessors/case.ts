class Celsius {
  #degrees = 20
  get fahrenheit() { return this.#degrees * 1.8 + 32 }
  set fahrenheit(value: number) { this.#degrees = (value - 32) / 1.8 }
  static #made = 0
  static get made() { return Celsius.#made }
  static set made(value: number) { Celsius.#made = value }
}
const room = new Celsius()
room.fahrenheit = 50
Celsius.made = 4

export const fn = () => { const before = room.fahrenheit; room.fahrenheit = 212; return [Math.round(before), Math.round(room.fahrenheit), Celsius.made] }
export const expected = [50, 212, 4]
