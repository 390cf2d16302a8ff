import { randomBytes } from 'node:crypto'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

// A Twilio that accepts every message and answers after 50 ms. GET gives how many it has accepted.

const LATENCY_MS = 50

let accepted = 0

const server = createServer((request, response) => {
  if (request.method === 'GET') return void response.end(String(accepted))
  request.resume().on('end', () => {
    accepted += 1
    const body = JSON.stringify({ sid: `SM${randomBytes(16).toString('hex')}`, status: 'queued' })
    setTimeout(() => response.writeHead(201, { 'content-type': 'application/json' }).end(body), LATENCY_MS)
  })
})
server.keepAliveTimeout = 60_000
server.listen(0, '127.0.0.1', () => process.send?.({ result: (server.address() as AddressInfo).port }))
process.on('disconnect', () => process.exit())
process.on('SIGTERM', () => process.exit())
