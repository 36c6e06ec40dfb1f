#!/usr/bin/env node
// Measures lists, searches and details of a server whose database scripts/large-database has filled, one request after
// another, and prints a table. AGENT and CUSTOMER are tokens of an agent and of a customer (`switchboard token`).
// usage: AGENT=… CUSTOMER=… scripts/measure-lists URL [TIMES]
import { performance } from 'node:perf_hooks';

const [url, times = '100'] = process.argv.slice(2);
if (!url || !process.env.AGENT || !process.env.CUSTOMER) {
  console.error('usage: AGENT=… CUSTOMER=… scripts/measure-lists URL [TIMES]');
  process.exit(2);
}
const queue = '/api/v1/unified-admin/support/conversations';
const tickets = '/api/v1/unified-admin/support';
const own = '/api/v1/support/conversations';

/** @param {string} path */
async function get(path, token = process.env.AGENT) {
  const begun = performance.now();
  const answer = await fetch(`${url}${path}`, { headers: { authorization: `Bearer ${token}` } });
  const body = await answer.json();
  return { took: performance.now() - begun, status: answer.status, body };
}

const first = (await get(`${queue}?page=500`)).body.data.conversations[0].id;
const ticket = (await get(tickets)).body.data.tickets[0].id;
const mine = (await get(own, process.env.CUSTOMER)).body.data.conversations[0].id;
const agents = [
  ...['', 'page=500', 'sort_order=asc', 'sort_by=createdAt', 'sort_by=updatedAt', 'sort_by=status', 'status=open',
    'status=open&assigned_to=me', 'unassigned=true', 'status=active,waiting_support', 'status=waiting_user&page=20',
    'has_ticket=true', 'channel=help_center', 'date_from=2026-11-30'].map((query) => `${queue}?${query}`),
  ...['', 'status=open', 'unassigned=true', 'status=open&assigned_to=me', 'sort_by=priority', 'sort_by=updatedAt'].map(
    (query) => `${tickets}?${query}`),
  ...['TX57F3D31D', 'user-777@mail', 'bozewa', 'losebitu need', '08100104729', 'SMI-2026-777', 'zq', 'xj', '转账失', '客服',
    '您', 'żó', 'straße', 'José', 'can’t', 'ошибка карта', 'e', 'transfer', 'nowhere at all', first].map(
    (term) => `${queue}?search=${encodeURIComponent(term)}`),
  ...['TX57F3D31D', 'bozewa', 'zq'].map((term) => `${tickets}?search=${term}`),
  `${queue}/${first}`, `${queue}/${first}/timeline`, `${tickets}/${ticket}`,
];
const all = [...agents.map((path) => [path, process.env.AGENT]), [own, process.env.CUSTOMER], [`${own}/${mine}`, process.env.CUSTOMER]];

console.log('| request | answer | p50 ms | p99 ms |\n|---|---|---|---|');
for (const [path, token] of all) {
  /** @type {number[]} */
  const took = [];
  let answer = await get(path, token); // The first one reads from the disk.
  const cold = answer.took;
  for (let time = 0; time < Number(times); time += 1) {
    answer = await get(path, token);
    took.push(answer.took);
  }
  took.sort((one, other) => one - other);
  const at = (/** @type {number} */ share) => took[Math.min(took.length - 1, Math.floor(took.length * share))].toFixed(1);
  const { data } = answer.body;
  const outcome = answer.status === 200 ? (data.meta ? `${data.meta.total} found` : '200') : answer.body.code ?? answer.status;
  const shown = decodeURIComponent(path).replace('/api/v1/unified-admin/support', '…').replaceAll('|', '\\|');
  console.log(`| \`${shown}\` | ${outcome} | ${at(0.5)} | ${at(0.99)} (first ${cold.toFixed(0)}) |`);
}
