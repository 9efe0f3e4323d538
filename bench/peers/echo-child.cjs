if (process.env.BENCH_GREET) process.send('up')
process.on('message', message => process.send(message))
