/**
 * The area under the ROC curve: the probability that a random anomaly scores higher than a random normal row, ties counting half. From the
 * ranks of the scores (Mann & Whitney 1947; Hanley & McNeil 1982).
 */
export function rocAuc(scores: ArrayLike<number>, isAnomaly: readonly boolean[]): number {
  const order = Array.from({ length: scores.length }, (_, i) => i).sort((a, b) => scores[a]! - scores[b]!)
  let rankSum = 0
  let anomalies = 0
  for (let from = 0; from < order.length; ) {
    let to = from + 1
    while (to < order.length && scores[order[to]!] === scores[order[from]!]) to++
    // Ranks count from 1; equal scores share their mean.
    const rank = (from + 1 + to) / 2
    for (const i of order.slice(from, to)) {
      if (!isAnomaly[i]) continue
      rankSum += rank
      anomalies++
    }
    from = to
  }
  return (rankSum - (anomalies * (anomalies + 1)) / 2) / (anomalies * (order.length - anomalies))
}
