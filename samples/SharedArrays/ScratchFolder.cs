namespace Orleans.Joblib.Samples.SharedArrays;

/// <summary>A folder for results that goes with the program: in shared memory where there is any.</summary>
internal sealed class ScratchFolder : IDisposable
{
    private readonly string _path = Directory.Exists("/dev/shm")
        ? Directory.CreateDirectory(Path.Combine("/dev/shm", $"shared-arrays-{Guid.NewGuid():n}")).FullName
        : Directory.CreateTempSubdirectory("shared-arrays-").FullName;

    public string PathOf(string name) => Path.Combine(_path, name);

    public void Dispose() => Directory.Delete(_path, recursive: true);
}
