using Microsoft.Extensions.Options;

namespace Orleans.Joblib.Silo;

/// <summary>Reports all faults of <see cref="CodeCacheOptions"/> at once.</summary>
internal sealed class CodeCacheOptionsValidator : IValidateOptions<CodeCacheOptions>
{
    public ValidateOptionsResult Validate(string? name, CodeCacheOptions options)
    {
        var faults = new List<string>();
        if (options.Directory is { } directory && (string.IsNullOrWhiteSpace(directory) || !Path.IsPathFullyQualified(directory)))
        {
            faults.Add($"CodeCacheOptions.Directory must not be '{directory}'. Use an absolute path, or leave it out for the user's cache directory.");
        }

        if (options.MaxBytes < CodeCacheOptions.LeastMaxBytes)
        {
            faults.Add($"CodeCacheOptions.MaxBytes must not be '{options.MaxBytes}'. Use '{CodeCacheOptions.LeastMaxBytes}' (16 MiB) or more.");
        }

        if (options.IdleTime < TimeSpan.FromSeconds(1) || options.IdleTime > TimeSpan.FromDays(7))
        {
            faults.Add($"CodeCacheOptions.IdleTime must not be '{options.IdleTime}'. Use 1 second to 7 days.");
        }

        return faults.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(faults);
    }
}
