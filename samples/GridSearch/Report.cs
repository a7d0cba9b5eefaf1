using System.Runtime.InteropServices;
using System.Security.Cryptography;

namespace Orleans.Joblib.Samples.GridSearch;

/// <summary>What a grid search found, as text.</summary>
internal static class Report
{
    /// <summary>The best candidates, and the best of each kind of model even if it ranks lower.</summary>
    public static void PrintTable(TextWriter output, IEnumerable<Candidate> candidates, int top)
    {
        // OrderByDescending is stable: equal means stay in the order of the grid, whatever the backend.
        var ranked = candidates.OrderByDescending(candidate => candidate.MeanAccuracy).Index().ToArray();
        var bestOfKind = ranked.DistinctBy(entry => entry.Item.Model.Name);
        output.WriteLine($"{"rank",4}  {"model",-20} {"parameters",-21} {"accuracy",8}  {"std",8}  {"fit+score",10}");
        foreach (var (index, candidate) in ranked.Take(top).Union(bestOfKind))
        {
            output.WriteLine(
                $"{index + 1,4}  {candidate.Model.Name,-20} {candidate.Model.Parameters,-21} {candidate.MeanAccuracy,8:0.000000}  "
                + $"{candidate.AccuracyDeviation,8:0.000000}  {candidate.MeanDuration.TotalMilliseconds,7:0.0} ms");
        }
    }

    /// <summary>A short SHA-256 of every accuracy, bit for bit and in the order of the grid: equal on two backends if all accuracies are.</summary>
    public static string Check(IEnumerable<Score> scores)
    {
        var accuracies = scores.Select(score => score.Accuracy).ToArray();
        return Convert.ToHexStringLower(SHA256.HashData(MemoryMarshal.AsBytes(accuracies.AsSpan())))[..16];
    }
}
