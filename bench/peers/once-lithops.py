import lithops

fexec = lithops.FunctionExecutor(backend='localhost', storage='localhost')
print(fexec.map(lambda x: x + 1, [1]).get_result()[0])
