using Microsoft.Extensions.Logging;

namespace Orleans.Joblib.Silo;

/// <summary>Workers that execute the calls of a code set.</summary>
/// <param name="code">The code set, in use.</param>
/// <param name="codec">Its codec.</param>
internal sealed class DotnetProgram(CodeLease code, PayloadCodec codec) : IWorkerProgram
{
    public object Key => code.Context;

    // The code set's files stay in the cache.
    public IDisposable Hold() => code.Share();

    public PoolSettings Settings(IReadOnlyDictionary<string, string> environment, Func<string, ILogger> loggers) => new()
    {
        Command = WorkerCommand.OfThisProgram,
        Environment = environment,
        Code = code.Context,
        ReadInitializerFailure = PoolSettings.FailuresBy(codec.Decoder),
        Loggers = loggers,
    };
}
