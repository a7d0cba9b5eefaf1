namespace Orleans.Joblib.Tests;

/// <summary>What a test waited for did not happen.</summary>
#pragma warning disable CA1032
internal sealed class HungException(string what) : Exception($"Waited {Patience.Limit.TotalSeconds} s in vain for {what}.");
#pragma warning restore CA1032
