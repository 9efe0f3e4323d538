// What tsc makes of experimentalDecorators.
var __decorate = function (decorators, target, key, desc) {
  var c = arguments.length, r = c < 3 ? target : desc === null ? (desc = Object.getOwnPropertyDescriptor(target, key)) : desc, d
  for (var i = decorators.length - 1; i >= 0; i--) if ((d = decorators[i])) r = (c < 3 ? d(r) : c > 3 ? d(target, key, r) : d(target, key)) || r
  return c > 3 && r && Object.defineProperty(target, key, r), r
}
const routes = []
const Get = path => (target, key) => { routes.push([path, key]) }
const Injectable = () => target => { target.injectable = true }
let UserController = class UserController {
  find(id) { return `user ${id}` }
}
__decorate([Get('/:id')], UserController.prototype, 'find', null)
UserController = __decorate([Injectable()], UserController)
const controller = new UserController()

export const cases = [
  { name: 'instance', fn: () => [controller.find(1), controller instanceof UserController], expected: ['user 1', true] },
  { name: 'class and what the decorators kept', fn: () => [UserController.injectable, routes], expected: [true, [['/:id', 'find']]] },
]
