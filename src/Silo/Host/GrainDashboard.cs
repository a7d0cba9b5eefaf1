using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Orleans.Configuration;
using Orleans.Dashboard;
using Orleans.Hosting;

namespace Orleans.Joblib.Silo;

/// <summary>Orleans' own dashboard, for who wants to see grains and their methods: beside ours, at its address and for its visitors.</summary>
internal static class GrainDashboard
{
    internal static void Configure(ISiloBuilder orleans, bool isServed)
    {
        if (isServed)
        {
            // It would ask every silo to measure while somebody looks, and stop asking at the first that has no dashboard.
            orleans.AddDashboard();
            orleans.Services.Configure<GrainProfilerOptions>(profiler => profiler.TraceAlways = true);
            return;
        }

        // Its grains are in this program all the same, and would be placed here without what they need.
        orleans.Services.PostConfigure<GrainTypeOptions>(types => types.Classes.RemoveWhere(type => type.Assembly == typeof(GrainProfilerOptions).Assembly));
    }

    /// <summary>What answers requests under a path, with the silo's services; an address that it does not know gets 404.</summary>
    internal static RequestDelegate Pages(IServiceProvider silo, string path)
    {
        var pages = new ApplicationBuilder(silo);
        pages.UseRouting();
        pages.UseEndpoints(endpoints => endpoints.MapOrleansDashboard(path));
        var answer = pages.Build();
        return async context =>
        {
            var services = context.RequestServices;
            var scope = silo.CreateAsyncScope();
            await using (scope.ConfigureAwait(false))
            {
                context.RequestServices = scope.ServiceProvider;
                try
                {
                    await answer(context).ConfigureAwait(false);
                }
                finally
                {
                    context.RequestServices = services;
                }
            }
        };
    }
}
