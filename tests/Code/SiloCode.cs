using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Time.Testing;
using Orleans.Joblib.Silo;

namespace Orleans.Joblib.Tests.Code;

/// <summary>One silo's code cache and load contexts in a folder of their own, without a silo around them.</summary>
internal sealed class SiloCode : IDisposable
{
    private readonly bool _ownsRoot;

    internal SiloCode(string? root = null, long maxBytes = CodeCacheOptions.DefaultMaxBytes)
    {
        _ownsRoot = root is null;
        Root = root ?? Path.Combine(Directory.CreateTempSubdirectory("joblib-cache-").FullName, "code");
        var options = Options.Create(new CodeCacheOptions { Directory = Root, MaxBytes = maxBytes });
        Store = new CodeStore(options, NullLogger<CodeStore>.Instance);
        Uploads = new CodeUploads(Store, Time);
        Contexts = new CodeContexts(Store, options, Time, NullLogger<CodeContexts>.Instance);
    }

    internal string Root { get; }

    internal FakeTimeProvider Time { get; } = new();

    internal CodeStore Store { get; }

    internal CodeUploads Uploads { get; }

    internal CodeContexts Contexts { get; }

    internal string BlobPath(CodeHash hash) => Path.Combine(Root, "blobs", hash.ToString());

    internal string[] Blobs => Directory.Exists(Root) ? [.. Directory.GetFiles(Path.Combine(Root, "blobs")).Select(path => Path.GetFileName(path))] : [];

    internal string[] Temp => Directory.GetFiles(Path.Combine(Root, "temp"));

    /// <summary>Sends what is missing, as a client would.</summary>
    /// <returns>The pieces sent.</returns>
    internal CodeItem[] Ship(CodeSnapshot code)
    {
        var missing = Contexts.Register(code.Manifest);
        foreach (var item in missing)
        {
            Put(code.Sources[item.Hash].ReadAll(), item.Hash);
        }

        return Contexts.Register(code.Manifest).Length == 0 ? missing : throw new InvalidOperationException("Pieces that were sent are missing.");
    }

    internal CodeHash Put(byte[] bytes, CodeHash? hash = null)
    {
        var name = hash ?? CodeHash.Of(bytes);
        foreach (var chunk in Chunks(bytes, name))
        {
            Uploads.Put(chunk);
        }

        return name;
    }

    internal static IEnumerable<CodeChunk> Chunks(byte[] bytes, CodeHash hash)
    {
        for (var offset = 0; offset < bytes.Length || offset == 0; offset += CodeChunk.MostBytes)
        {
            yield return new CodeChunk(hash, bytes.Length, offset, bytes[offset..Math.Min(bytes.Length, offset + CodeChunk.MostBytes)]);
        }
    }

    internal static CodeSnapshot SnapshotOf(params System.Reflection.Assembly[] assemblies)
    {
        var code = new CodeSet();
        foreach (var assembly in assemblies)
        {
            code.Add(assembly);
        }

        return code.Snapshot();
    }

    /// <summary>Calls a static method of a type of a code set, as a decoded call does.</summary>
    internal static object? Call(ICodeResolver resolver, System.Reflection.Assembly original, string type, string method) =>
        resolver.Resolve(original.GetName().Name!, original.ManifestModule.ModuleVersionId).GetType(type, throwOnError: true)!.GetMethod(method)!
            .Invoke(null, System.Reflection.BindingFlags.DoNotWrapExceptions, null, null, null);

    public void Dispose()
    {
        Contexts.Dispose();
        Uploads.Dispose();
        if (_ownsRoot)
        {
            Directory.Delete(Path.GetDirectoryName(Root)!, recursive: true);
        }
    }
}
