namespace Orleans.Joblib.Tests;

/// <summary>A third party's backend that cannot stream.</summary>
public sealed class StreamlessBackend : ThreadPoolBackend
{
    public override bool SupportsReturnGenerator => false;
}
