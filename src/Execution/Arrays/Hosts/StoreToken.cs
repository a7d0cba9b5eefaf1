using System.Security.Cryptography;
using System.Text;
using Microsoft.Win32.SafeHandles;

namespace Orleans.Joblib;

/// <summary>Proof that another process sees this folder: a secret in a file of it that the other one has read. A machine's name would prove nothing inside of containers.</summary>
/// <remarks>The proof is bound to the running kernel, whose locks say what is in use: two hosts that share a folder over a network do not prove it.</remarks>
internal sealed class StoreToken : IDisposable
{
    private const int SecretBytes = 32;

    private readonly SafeFileHandle _file;
    private readonly byte[] _secret = RandomNumberGenerator.GetBytes(SecretBytes);

    private StoreToken(string path)
    {
        Path = path;
        _file = SegmentFile.Create(path);
        try
        {
            RandomAccess.Write(_file, _secret, 0);
        }
        catch (IOException)
        {
            Dispose();
            throw;
        }
    }

    /// <summary>What to ask the other process to read.</summary>
    internal string Path { get; }

    /// <summary>Writes one, for this user alone. What a killed process leaves is swept with the folder.</summary>
    /// <exception cref="JoblibException">The folder cannot be used.</exception>
    internal static StoreToken Write(string parent)
    {
        for (var attempt = 0; ; attempt++)
        {
            var folder = StoreFolder.Open(parent);
            try
            {
                return new StoreToken(folder.NewTokenPath());
            }
            catch (DirectoryNotFoundException) when (attempt < 100)
            {
                // Its last user has removed it this moment.
            }
            catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
            {
                // Full, or read-only. Raw it would pass for a silo that was not reached.
                throw folder.Unusable(exception);
            }
        }
    }

    /// <summary>The other process's part: its proof that it has read the file, and could use the folder's segments.</summary>
    /// <returns>Null when it cannot.</returns>
    internal static byte[]? Prove(string path)
    {
        if (!FileLocks.AreSupported || !StoreFolder.IsPlace(path) || !StoreFolder.IsToken(System.IO.Path.GetFileName(path.AsSpan())) || !FileLocks.IsPrivateFolder(System.IO.Path.GetDirectoryName(path)!))
        {
            return null;
        }

        try
        {
            // For writing too: so are segments opened.
            using var file = File.OpenHandle(path, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite | FileShare.Delete);
            var secret = new byte[SecretBytes];
            return RandomAccess.GetLength(file) == SecretBytes && RandomAccess.Read(file, secret, 0) == SecretBytes ? ProofOf(secret, path) : null;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    internal bool IsProvenBy(byte[]? proof) => proof is not null && CryptographicOperations.FixedTimeEquals(ProofOf(_secret, Path), proof);

    public void Dispose()
    {
        SegmentFile.Remove(Path);
        _file.Dispose();
    }

    /// <summary>The file systems that this process sees: who sees the same on the same kernel sees the same files.</summary>
    internal static string Namespace()
    {
        try
        {
            return $"{BootId().Trim()} {File.ResolveLinkTarget("/proc/self/ns/mnt", returnFinalTarget: false)?.Name} {File.ResolveLinkTarget("/proc/self/root", returnFinalTarget: false)?.FullName}";
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return Guid.NewGuid().ToString("n");
        }
    }

    private static byte[] ProofOf(byte[] secret, string path) => HMACSHA256.HashData(secret, Encoding.UTF8.GetBytes(path + "\n" + BootId()));

    private static string BootId()
    {
        try
        {
            return File.ReadAllText("/proc/sys/kernel/random/boot_id");
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return Environment.MachineName;
        }
    }
}
