using Orleans.Runtime;

namespace Orleans.Joblib;

/// <summary>What a look found out about a silo.</summary>
/// <param name="Address">The silo.</param>
/// <param name="View">The silo; null when it did not answer, or has no workers.</param>
/// <param name="CoresUsed">Cores that its process used since the look before; null at the first.</param>
/// <param name="Fault">Why there is no view.</param>
internal sealed record SiloReport(SiloAddress Address, SiloView? View, double? CoresUsed, string? Fault);
