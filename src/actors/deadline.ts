/** The platform has no deadline for calls: one to a frozen peer would hang for ever. */
export async function withDeadline<T>(
  call: Promise<T>,
  deadlineMs: number,
  what = 'answer',
): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | null = null
  const over = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no ${what} within ${deadlineMs} ms`)), deadlineMs)
  })
  try {
    return await Promise.race([call, over])
  } finally {
    clearTimeout(timer)
  }
}
