using Microsoft.Extensions.Logging;

namespace Orleans.Joblib;

/// <summary>A batch in a worker process.</summary>
/// <param name="Run">Whose it is.</param>
/// <param name="Request">It, without its payload.</param>
/// <param name="Payload">Its calls, encoded.</param>
/// <param name="LogLevel">The least level that the program logs.</param>
/// <param name="MovedArrays">This host's files of arrays that came from another host, by the names that the payload has; null for none.</param>
internal sealed record WorkerBatch(long Run, RemoteBatch Request, ReadOnlyMemory<byte> Payload, LogLevel LogLevel, IReadOnlyDictionary<string, string>? MovedArrays);
