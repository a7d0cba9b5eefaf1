using Orleans.Runtime;

namespace Orleans.Joblib;

/// <summary>What a look found out about a silo.</summary>
/// <param name="Address">The silo.</param>
/// <param name="Time">When it answered, by this process's clock: another that does not answer holds up the look.</param>
/// <param name="View">The silo; null when it did not answer, or has no workers.</param>
/// <param name="CoresUsed">Cores that its process used since the look before; null at the first.</param>
/// <param name="Fault">Why there is no view.</param>
internal sealed record SiloReport(SiloAddress Address, DateTimeOffset Time, SiloView? View, double? CoresUsed, string? Fault);
