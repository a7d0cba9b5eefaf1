namespace Orleans.Joblib.Samples.SharedArrays;

/// <summary>What a call found.</summary>
/// <param name="Sums">By center, the sum of the rows that are nearest to it.</param>
/// <param name="Counts">By center, how many those are.</param>
/// <param name="Distance">The sum of all rows' squared distances.</param>
/// <param name="Memory">Of the process that made the call.</param>
internal sealed record Part(double[][] Sums, int[] Counts, double Distance, ProcessMemory Memory);
