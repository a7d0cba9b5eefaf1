using System.Diagnostics;

namespace Orleans.Joblib;

/// <summary>A loop whose backend tells others how far it has come.</summary>
internal interface IFollowedLoop
{
    /// <summary>How far it has come by now. Thread-safe.</summary>
    ClientProgress Progress { get; }

    /// <summary>Its span; default when nobody traces it.</summary>
    ActivityContext Span => default;
}
