using System.Globalization;

namespace Orleans.Joblib;

/// <summary>How a worker process ended.</summary>
/// <param name="Code">Its exit code; 128 + n where signal n ended it.</param>
/// <param name="LastWords">The last lines that it wrote to standard error; empty for none.</param>
internal sealed record WorkerExit(int Code, string LastWords)
{
    /// <summary>As a part of a sentence: <c>exit code 137, SIGKILL</c>.</summary>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"exit code {Code}")
        + (SignalName is { } signal ? $", {signal}" : "");

    private string? SignalName => (Code - 128) switch
    {
        1 => "SIGHUP",
        2 => "SIGINT",
        3 => "SIGQUIT",
        4 => "SIGILL",
        6 => "SIGABRT",
        7 => "SIGBUS",
        8 => "SIGFPE",
        9 => "SIGKILL",
        11 => "SIGSEGV",
        13 => "SIGPIPE",
        15 => "SIGTERM",
        _ => null,
    };
}
