using System.IO.Pipelines;

namespace Orleans.Joblib;

/// <summary>The encrypted stream as Orleans reads and writes it.</summary>
internal sealed record StreamDuplexPipe(PipeReader Input, PipeWriter Output) : IDuplexPipe;
