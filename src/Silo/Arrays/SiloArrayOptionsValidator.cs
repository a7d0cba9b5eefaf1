using Microsoft.Extensions.Options;

namespace Orleans.Joblib.Silo;

/// <summary>Reports all faults of <see cref="SiloArrayOptions"/> at once.</summary>
internal sealed class SiloArrayOptionsValidator : IValidateOptions<SiloArrayOptions>
{
    public ValidateOptionsResult Validate(string? name, SiloArrayOptions options)
    {
        var faults = new List<string>();
        if (options.Folder is { } folder && (string.IsNullOrWhiteSpace(folder) || !Path.IsPathFullyQualified(folder)))
        {
            faults.Add($"SiloArrayOptions.Folder must not be '{folder}'. Use an absolute path, or leave it out for /dev/shm.");
        }

        if (options.MaxBytes < SiloArrayOptions.LeastMaxBytes)
        {
            faults.Add($"SiloArrayOptions.MaxBytes must not be '{options.MaxBytes}'. Use '{SiloArrayOptions.LeastMaxBytes}' (16 MiB) or more, or leave it out for three quarters of the file system.");
        }

        if (options.Blobs is { } blobs)
        {
            try
            {
                BlobStorage.Parse(blobs);
            }
            catch (ArgumentException exception)
            {
                faults.Add($"SiloArrayOptions.Blobs: {exception.Message}");
            }
        }

        return faults.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(faults);
    }
}
