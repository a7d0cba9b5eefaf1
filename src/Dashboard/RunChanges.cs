namespace Orleans.Joblib;

/// <summary>What a page has to be told about runs that it does not know: of a hundred that have ended, with their stacks, nothing.</summary>
/// <param name="Changed">New ones, and those that changed.</param>
/// <param name="Gone">Ids of those that are not kept any more.</param>
internal readonly record struct RunChanges(IReadOnlyList<RunReportLine> Changed, IReadOnlyList<string> Gone)
{
    internal static RunChanges Between(IReadOnlyList<RunReportLine> before, IReadOnlyList<RunReportLine> now)
    {
        var known = before.ToDictionary(run => run.Run, StringComparer.Ordinal);
        return new RunChanges(
            [.. now.Where(run => !known.TryGetValue(run.Run, out var old) || old != run)],
            [.. known.Keys.Except(now.Select(run => run.Run), StringComparer.Ordinal)]);
    }
}
