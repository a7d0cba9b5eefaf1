namespace Orleans.Joblib.Benchmarks.EndToEnd;

/// <summary>The cold program on a silo that runs already: one that has never seen it, or the one that has just run it.</summary>
internal sealed class ColdRemoteProgram(bool codeIsThere) : ColdProgram(BackendSession.OrleansRemote, ReadyToRun, codeIsThere ? "second-program" : "first-program")
{
    private SiloProcesses? _silos;

    public override Measurement Measure()
    {
        if (codeIsThere && _silos is not null)
        {
            return Measure([BackendSession.Orleans, _silos.Address]);
        }

        _silos?.Dispose();
        _silos = SiloProcesses.Start(silos: 1, Environment.ProcessorCount);
        var first = Measure([BackendSession.Orleans, _silos.Address]);
        return codeIsThere ? Measure() : first;
    }

    public override void Dispose()
    {
        _silos?.Dispose();
        base.Dispose();
    }
}
