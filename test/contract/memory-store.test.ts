import { MemoryDisk, MemoryStore } from '../support/memory-store.ts'
import { storeContract } from './store.contract.ts'

storeContract('a store in memory', () => {
  const disk = new MemoryDisk()
  return { use: async (act) => act(new MemoryStore(disk)) }
})
