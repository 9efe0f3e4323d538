// The worker's half of a monitor for tests whose workers are in this process: it hands frames to the client's half by way
// of a global, and does what the test says.
const office = (globalThis[Symbol.for('test.post-office')] ??= {
  boxes: new Map(),
  opened: [],
  fails: false,
  limit: undefined,
})

export const publisher = {
  specVersion: 1,
  kind: 'post',
  open: (address, { secrets }) => {
    office.opened.push({ address, secrets })
    return {
      isRealTime: true,
      get limit() {
        return office.limit
      },
      async publish(frames, { executorId, jobId }) {
        if (office.fails) throw new Error('the post office is closed')
        office.boxes.get(`${executorId}/${jobId}`)?.(frames.slice())
      },
      channel: async () => ({ sendToQueue: (queue, content) => office.boxes.get(queue)?.(content) }),
      async close() {},
    }
  },
}
